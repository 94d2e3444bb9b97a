-- What went wrong while a lease ran: processes ended for lack of memory, GPUs that do not work. Null: nothing.
-- Retention: with its lease.
alter table lease add column trouble jsonb;
