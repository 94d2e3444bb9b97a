-- When a spot lease is taken back, to make room for one on demand.
alter table lease add column reclaim_at timestamptz;
