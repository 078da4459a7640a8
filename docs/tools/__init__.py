"""Tools of the documentation site: generated pages, build, links, examples and pictures."""
