"""What is shown, as one document for the terminal, the page, the workbook and other programs.

A `document.Document` holds sections of paragraphs, facts, typed tables and charts; a column states its heading, unit,
digits and priority once. Renderers know no subject. What is said of a subject is in `etsopt.reports`.
"""
