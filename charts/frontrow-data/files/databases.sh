# Run once, by the image, when the data folder is new. A role a database: a service cannot read another's.
make_database() {
  psql -v ON_ERROR_STOP=1 -v name="$1" -v password="$2" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE ALL ON DATABASE :"name" FROM PUBLIC;
SQL
}
make_database auth "$AUTH_PASSWORD"
make_database events "$EVENTS_PASSWORD"
make_database payments "$PAYMENTS_PASSWORD"
