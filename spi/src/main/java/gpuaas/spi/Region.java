package gpuaas.spi;

/** Where something is, by a code such as {@code us-buffalo-1}. */
public record Region(String code) {}
