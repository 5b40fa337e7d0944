"""A decision and a report in the forms that people and other programs read: text, JSON, JUnit XML, Markdown."""
