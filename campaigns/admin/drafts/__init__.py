"""A new campaign in five steps. The draft Campaign and its Import rows are the whole state, so a colleague can go on."""
