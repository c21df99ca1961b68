-- only: postgres
-- The application's role: it may append to the ledger and read it, nothing else. Grant it to the user that the
-- application signs in as; migrations run as the owner.

do $$
begin
    if not exists (select 1 from pg_roles where rolname = 'quota_app') then
        create role quota_app nologin;
    end if;
exception
    -- Another database of this server is being migrated at the same time.
    when duplicate_object or unique_violation then null;
end
$$;

grant select, insert on operations to quota_app;
grant select, insert, update, delete on accounts, directory, reservations, outbox, job_runs, job_batches to quota_app;
grant select, update on outbox_places to quota_app;
grant select, insert, update on closed_balances, api_keys, leases, event_cursors to quota_app;
grant select, insert on catalogs to quota_app;

revoke execute on function operations_make_month(timestamptz), operations_add_indexes(text) from public;
grant execute on function operations_make_month(timestamptz) to quota_app;
