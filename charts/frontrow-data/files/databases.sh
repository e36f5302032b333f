# Run by the image when the data folder is new; run again, it makes what is missing and sets the passwords. A role a database: a
# service cannot read another's.
make_database() {
  psql -v ON_ERROR_STOP=1 -v name="$1" -v password="$2" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
SELECT format('CREATE ROLE %I', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" LOGIN PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}
make_database auth "$AUTH_PASSWORD"
make_database events "$EVENTS_PASSWORD"
make_database notifications "$NOTIFICATIONS_PASSWORD"
make_database payments "$PAYMENTS_PASSWORD"
make_database psp "$PSP_PASSWORD"
