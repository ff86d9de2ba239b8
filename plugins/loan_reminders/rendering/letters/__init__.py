"""Letters on paper: what they say, their pages, and the PDF files for the printer."""
