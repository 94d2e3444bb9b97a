-- Where a lease stands in the line: less is sooner; the priority that was asked for, with the other sign.
alter table lease add column queue_rank smallint not null default 0;
drop index lease_line;
create index lease_line on lease (gpu_model, (spec -> 'want' ->> 'tier'), queue_rank, made_at, id) where state = 'waiting';
