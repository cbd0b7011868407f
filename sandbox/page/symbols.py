"""The few pictures of the page, as SVG of its own. Loads nothing."""

from __future__ import annotations

from sandbox.page.markup import Html

LOCK = Html(
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M5.5 9V6.4a4.5 4.5 0 0 1 8.6-1.9"/>'
    '<rect x="3.6" y="9" width="12.8" height="8" rx="2.2"/><path d="M10 12.2v1.7"/></svg>'
)
CROSS = Html('<svg viewBox="0 0 16 16" aria-hidden="true"><path d="m3.5 3.5 9 9m0-9-9 9"/></svg>')
UP = Html('<svg viewBox="0 0 16 16" aria-hidden="true"><path d="m3.5 10 4.5-4.5L12.5 10"/></svg>')
CLUSTER = Html(
    '<svg viewBox="0 0 20 20" aria-hidden="true"><rect x="3" y="3.5" width="14" height="5.4" '
    'rx="1.6"/><rect x="3" y="11.1" width="14" height="5.4" rx="1.6"/>'
    '<path d="M6 6.2h.1M6 13.8h.1"/></svg>'
)
STORE = Html(
    '<svg viewBox="0 0 20 20" aria-hidden="true"><path d="M3.2 6.5 10 3l6.8 3.5v7L10 17l-6.8-3.5Z"/>'
    '<path d="M3.4 6.6 10 10l6.6-3.4M10 10v7"/></svg>'
)
WARNING = Html(
    '<svg class="sym warning" viewBox="0 0 16 16" role="img" aria-label="Warning">'
    '<path class="f" d="M8 1.6 15.2 14a.7.7 0 0 1-.6 1H1.4a.7.7 0 0 1-.6-1Z"/>'
    '<path class="k" d="M8 6v4M8 12.2v.3"/></svg>'
)
HOURGLASS = Html(
    '<svg class="sym hourglass" viewBox="0 0 16 16" role="img" aria-label="Under way">'
    '<path class="o" d="M3.5 1.5h9M3.5 14.5h9M4.5 1.5v2.2c0 2 3.5 3 3.5 4.3s-3.5 2.3-3.5 4.3v2.2'
    'M11.5 1.5v2.2c0 2-3.5 3-3.5 4.3s3.5 2.3 3.5 4.3v2.2"/><path class="s" d="M6 13.6h4L8 11.6Z"/></svg>'
)
CHECK_MARK = Html(
    '<svg class="sym white" viewBox="0 0 16 16" role="img" aria-label="Done">'
    '<rect class="f" x=".5" y=".5" width="15" height="15" rx="3.5"/>'
    '<path class="k" d="m4 8.4 2.7 2.7L12 5.4"/></svg>'
)
EMOJI = {"warning": WARNING, "hourglass_flowing_sand": HOURGLASS, "white_check_mark": CHECK_MARK}
