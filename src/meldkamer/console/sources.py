"""Where a clause stands: the brochure's page, the article, the law, or nowhere but with us.

The id itself says it, so nothing is looked up and nothing can be forgotten.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext as _

_PAGE = re.compile(r"S(\d+)\.\d+")
_ARTICLE = re.compile(r"D(\d{3})(?:\.(\d+)([a-z]?))?")
#: what of the law a rule of ours answers to; the others name the law alone
_LAWS = {"B1": ("2017", "152")}


def source_of(clause: str) -> str:
    """ "brochure, page 7", in the operator's language; "" for an id of no known kind."""
    if page := _PAGE.fullmatch(clause):
        return _("Brochure of Securitas Monitoring, page %(page)s") % {"page": page[1]}
    if article := _ARTICLE.fullmatch(clause):
        number, item, letter = article.groups()
        if item is None:
            return _("General terms of D’Tral, article %(article)s") % {"article": number}
        return _("General terms of D’Tral, article %(article)s, item %(item)s") % {
            "article": number,
            "item": item + letter,
        }
    if clause in _LAWS:
        year, number = _LAWS[clause]
        return _("Belgian law: private security act of %(year)s, article %(article)s") % {
            "year": year,
            "article": number,
        }
    if clause.startswith("B"):
        return _("Belgian law")
    return _("Our own rule") if clause.startswith("M") else ""
