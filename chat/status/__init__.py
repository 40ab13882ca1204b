"""How the site is: what each process says of itself, what the database and Redis say, and what is wrong with it."""
