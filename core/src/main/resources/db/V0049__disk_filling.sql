-- What the lease that has a disk was told of how full it is. Retention: with the disk.
alter table disk
  add column told_percent integer not null default 0,
  add column told_lease   uuid;
