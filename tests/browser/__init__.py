"""The pages as they are used: a real browser on a running Airflow.

visitor     Debian's Chromium, a logged-in person in it, and what the browser complained of
walk        every page that can be reached by links, one of each kind
connections Airflow's own page of connections: add one, try it
forms       every button of a page, filled in as far as the page asks, and pressed
screens     `make screens`: pictures of every page, light and dark, wide and narrow, of a library in use
"""
