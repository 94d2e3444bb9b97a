package gpuaas.spi;

/**
 * A kind of GPU.
 *
 * @param vendor {@code NVIDIA}, {@code AMD}, …
 * @param model one name per kind across all providers, such as {@code H200}
 * @param memoryMib memory of one GPU
 */
public record Gpu(String vendor, String model, int memoryMib) {}
