"""What every room uses and what uses none: words, numbers, errors, progress, the clock."""
