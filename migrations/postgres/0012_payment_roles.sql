-- only: postgres
-- The application claims ids, and writes payments; it may neither move an id nor remove a payment.

grant select, insert on provider_ids to quota_app;
grant select, insert, update on payments to quota_app;
