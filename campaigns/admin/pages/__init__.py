"""The operator's pages: thin views over the insight and sending rooms."""
