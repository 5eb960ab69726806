"""The whole installation on one machine, with the deploy files of this repository.

    python -m deploy.topology            # starts it, walks through it, ends it
    python -m deploy.topology --stay     # and leaves it up until Ctrl-C

nginx, two instances of LexiFlow, a worker, PgBouncer, PostgreSQL with a streaming replica, one
Redis for the cache and one for the limiter, Prometheus. What the files name as hosts of a network
are here processes on loopback, and PostgreSQL trusts them; nothing else in them is changed. nginx,
PgBouncer and Prometheus are Debian's packages; what is missing is named.
"""
