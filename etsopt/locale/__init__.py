"""The catalogue of messages in Chinese, in the form of gettext."""
