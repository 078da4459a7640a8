"""The documentation site: pages in English and Chinese, and the tools that build and check it."""
