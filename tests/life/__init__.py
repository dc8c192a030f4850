"""A life, simulated: months of a few shops in minutes, everything in an order of chance, every number counted again.

`python -m tests.life` lives long lives, test_life.py short ones. author.py writes a life, from a seed, as a list of
steps (steps.py); life.py lives it on a database; world.py knows what is true then, and questions.py asks for it.
"""
