"""Lists and forms of what is set up once: templates, accounts, suppression, people, tokens, audit."""
