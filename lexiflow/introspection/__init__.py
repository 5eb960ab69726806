"""The tables of the database as PostgreSQL's catalogue has them, for operators."""
