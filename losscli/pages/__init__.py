"""Pages: what every HTML page of losscli shares, whoever fills it: the document, its looks, its controls and its charts.

A kind of page is three files in `templates/`: `<kind>.html.jinja`, which extends `page.html.jinja`; `<kind>.js`, which
draws what `document` was given as `data`; and, where it has looks of its own, `<kind>.css`. Before the kind's script come
`page.js` (light and dark, the page's colours, unpacking), `controls.js` (steppers, figures that draw themselves when seen)
`charts.js` (Plotly, in the page's colours) and `regions.js` (what models decide in the plane of two features).
"""
