-- only: postgres
-- The application makes and revokes codes, and claims uses; it gives a use back, and removes nothing else.

grant select, insert, update on code_batches, codes, code_failures to quota_app;
grant select, insert, update, delete on code_uses to quota_app;
