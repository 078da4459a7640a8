"""How a thing is shown, whoever shows it: documents and their renderers, charts, explanations."""
