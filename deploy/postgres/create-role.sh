#!/bin/sh
# Makes the platform's role and its two databases. Runs once, in a new PostgreSQL, before it listens on the network. The role
# owns the databases and may replicate (change capture reads the WAL); it is not a superuser. At the end the superuser loses its
# password, so that it can log in from inside this container only.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password POSTGRES_PASSWORD
CREATE ROLE marquee LOGIN REPLICATION PASSWORD :'password';
CREATE DATABASE marquee OWNER marquee TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE dagster OWNER marquee TEMPLATE template0 ENCODING 'UTF8';
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
