"""Search in the Chinese pages: every two neighbouring characters are a term, so that no dictionary of words is needed.

Sphinx splits Chinese only with a further package, and its own class names a stemmer that it does not write.
"""

from __future__ import annotations

import re

from sphinx.search.zh import SearchChinese

RUNS = re.compile(r"[\u4e00-\u9fff]+")

SPLIT_QUERY = r"""
var splitQuery = (query) => {
  const latin = query.match(/[a-zA-Z0-9_]+/g) || [];
  const pairs = (query.match(/[\u4e00-\u9fff]+/g) || []).flatMap((run) =>
    Array.from({ length: Math.max(run.length - 1, 0) }, (_, start) => run.slice(start, start + 2)));
  return [...pairs, ...latin];
};
"""
"""The same split in the browser, for the words of a reader."""


class PairsOfCharacters(SearchChinese):
    """Terms of the index of Chinese pages."""

    language_name = "English"
    js_splitter_code = SPLIT_QUERY

    def split(self, input: str) -> list[str]:  # noqa: A002  the name is that of Sphinx
        """Return the terms of a text: pairs of Chinese characters, and words in Latin letters.

        >>> PairsOfCharacters({}).split("平衡值 CEA")
        ['平衡', '衡值', 'CEA']
        """
        pairs = [run[start : start + 2] for run in RUNS.findall(input) for start in range(len(run) - 1)]
        latin = self.latin1_letters.findall(input)
        self.latin_terms.update(latin)
        return [*pairs, *latin]
