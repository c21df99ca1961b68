-- only: postgres
-- The application begins top-ups and ends them; it takes one back that was never asked for, and removes nothing else.

grant select, insert on top_up_accounts to quota_app;
grant select, insert, update, delete on top_ups to quota_app;
