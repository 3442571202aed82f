#!/bin/sh
# Runs once, in a new PostgreSQL, before it listens to anybody but itself: the platform's role and its two databases.
# The role owns them and may replicate (change capture reads the WAL); it is no superuser. Afterwards the superuser has no
# password, so that it is reached from inside this container alone.
set -eu
psql --set=ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres <<'SQL'
\getenv password POSTGRES_PASSWORD
CREATE ROLE marquee LOGIN REPLICATION PASSWORD :'password';
CREATE DATABASE marquee OWNER marquee TEMPLATE template0 ENCODING 'UTF8';
CREATE DATABASE dagster OWNER marquee TEMPLATE template0 ENCODING 'UTF8';
ALTER ROLE CURRENT_USER PASSWORD NULL;
SQL
