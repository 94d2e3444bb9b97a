-- The provider of the last place that was tried: it stays known when the place no longer is.
alter table lease add column provider text;
update lease set provider = coalesce(instance_provider, place -> 'offer' ->> 'provider')
 where instance_provider is not null or place is not null;

-- At most one active lease of a kind, for those who ask for that.
create unique index lease_only_one on lease (project_id, (spec ->> 'onlyOne'))
  where spec ->> 'onlyOne' is not null and state in ('waiting', 'provisioning', 'booting', 'running');

-- Leases of one consumer, and what was asked for again in place of which.
create index lease_by_consumer on lease (project_id, (spec -> 'notes' ->> 'consumer_id'), made_at desc, id desc)
  where spec -> 'notes' ->> 'consumer_id' is not null;
create index lease_by_parent on lease ((spec -> 'notes' ->> 'retry_parent_id'))
  where spec -> 'notes' ->> 'retry_parent_id' is not null;
