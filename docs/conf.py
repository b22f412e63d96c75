"""Sphinx settings of the documentation: `make docs` builds it from the whole repository.

The source folder is the repository, and the pages are those of `PAGES`: a link from one page to another, to a
picture or to a program is then the same relative link on a code host and in the site.
"""

from importlib.metadata import version as installed_version

PAGES = [
    "docs/*.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "artifacts/**/*.md",
    "benchmarks/*.md",
    "train/LOG.md",
    "train/plans/*.md",
]

project = "pairedge"
author = "The pairedge contributors"
project_copyright = author
release = installed_version("pairedge")
version = release

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
include_patterns = PAGES
# Not walked through, which would take longer than all pages.
exclude_patterns = [".venv*", "build", "dist", "runs", "exports"]
root_doc = "docs/index"

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
napoleon_numpy_docstring = False
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"pairedge {release}"
html_show_sourcelink = False
html_copy_source = False
html_extra_path = ["start"]
