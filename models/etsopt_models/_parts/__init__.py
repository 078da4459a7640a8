"""Parts that several models share: data of the limits, and result tables."""
