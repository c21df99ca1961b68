-- only: postgres
-- The application asks at its start whether the schema is the one that it needs.

grant select on _sqlx_migrations to quota_app;
