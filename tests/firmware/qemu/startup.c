/* Starts a program on a bare Cortex-M4: FPU on, .data and .bss set up, the C
 * library's semihosting opened, main(), exit status back to the host. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

extern uint8_t data_load[], data_start[], data_end[], bss_start[], bss_end[];
extern uint8_t stack_top[];
extern void initialise_monitor_handles(void);
extern void __libc_init_array(void);
extern int main(void);
void _init(void);
void _fini(void);
void reset_handler(void);
void fault_handler(void);

/* What the C and C++ libraries want to link with. */
void *__dso_handle;
void _init(void) {}
void _fini(void) {}

void reset_handler(void) {
  *(volatile uint32_t *)0xe000ed88 |= 0xfu << 20; /* CPACR: CP10, CP11 */
  __asm volatile("dsb\nisb");
  memcpy(data_start, data_load, (size_t)(data_end - data_start));
  memset(bss_start, 0, (size_t)(bss_end - bss_start));
  initialise_monitor_handles();
  __libc_init_array();
  exit(main());
}

void fault_handler(void) { _Exit(70); }

__attribute__((section(".vectors"),
               used)) static const void *const vectors[] = {
    stack_top,     reset_handler, fault_handler, fault_handler,
    fault_handler, fault_handler, fault_handler};
