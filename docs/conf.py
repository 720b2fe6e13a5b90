"""Sphinx's settings for the site that ``make docs`` builds."""

project = "cookiecutter-django-apscheduler"
html_title = "Django with scheduled jobs"
html_theme = "furo"
html_show_copyright = False
extensions = ["myst_parser"]
# The repository is the source, so that links among its files hold on the site as in a checkout.
root_doc = "docs/index"
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # bench/RESULTS.md goes from its title to the third level
