"""The naive side: what is true of a life, and the questions it is asked."""
