-- only: postgres
-- The application tells meters, and prunes what is over; it takes turns.

grant select, insert, update on meter_marks, call_turns to quota_app;
grant select, insert, update, delete on meter_periods, meter_entries to quota_app;
