"""Faster methods for a model or one of its objectives, named after both."""
