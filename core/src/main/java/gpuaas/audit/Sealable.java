package gpuaas.audit;

/** An entry that nothing can come before any more, and the transaction that wrote it. */
record Sealable(Entry entry, String transaction) {}
