/* A management library with two GPUs that are not there; compiled by NvmlTest. */
#include <string.h>

struct memory { unsigned long long total, free, used; };

int nvmlInit_v2(void) { return 0; }
int nvmlShutdown(void) { return 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { *count = 2; return 0; }

int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **device) {
  *device = (void *)(unsigned long)(index + 1);
  return 0;
}

int nvmlDeviceGetMinorNumber(void *device, unsigned *minor) {
  *minor = (unsigned)(unsigned long)device - 1;
  return 0;
}

int nvmlDeviceGetMemoryInfo(void *device, struct memory *memory) {
  memory->total = 81559ULL << 20;
  return 0;
}

int nvmlDeviceGetUUID(void *device, char *text, unsigned length) {
  strncpy(text, device == (void *)1 ? "GPU-aaaa" : "GPU-bbbb", length);
  return 0;
}

int nvmlDeviceGetName(void *device, char *text, unsigned length) {
  strncpy(text, "NVIDIA H100 80GB HBM3", length);
  return 0;
}

int nvmlDeviceGetHandleByUUID(const char *text, void **device) {
  if (strcmp(text, "GPU-aaaa") && strcmp(text, "GPU-bbbb")) return 6;
  *device = (void *)(strcmp(text, "GPU-aaaa") ? 2UL : 1UL);
  return 0;
}

struct rates { unsigned gpu, memory; };

int nvmlDeviceGetUtilizationRates(void *device, struct rates *rates) {
  rates->gpu = device == (void *)1 ? 0 : 42;
  rates->memory = 93;
  return 0;
}
