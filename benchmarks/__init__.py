"""How fast the service is, each figure beside a reference on the same PostgreSQL (`make bench`)."""
