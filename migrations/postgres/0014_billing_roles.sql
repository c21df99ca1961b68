-- only: postgres
-- The application links customers and takes links away, and works on events until they are pruned; a connection and a
-- problem stay.

grant select, insert, update on provider_connections, billing_problems to quota_app;
grant select, insert, update, delete on provider_links, provider_events to quota_app;
grant select, insert, delete on account_customers to quota_app;
