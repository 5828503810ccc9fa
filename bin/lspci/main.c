/* SPDX-License-Identifier: MIT
 * lspci: the functions of the PCI buses, as topod found them: address, class, vendor and device, and whether a driver
 * has it. Names are those of the class; -n shows numbers alone. Source: [PCI-CODES] "Class Codes". */
#include <stdio.h>
#include <string.h>
#include <vectra/io.h>
#include <vectra/rpc_topo.h>

/* By base class and subclass; 0xff: any of the base class. */
static const struct {
    uint8_t base, sub;
    const char *name;
} classes[] = {
    { 0x01, 0x00, "SCSI storage controller" },
    { 0x01, 0x01, "IDE interface" },
    { 0x01, 0x06, "SATA controller" },
    { 0x01, 0x08, "NVMe controller" },
    { 0x01, 0xff, "Mass storage controller" },
    { 0x02, 0x00, "Ethernet controller" },
    { 0x02, 0xff, "Network controller" },
    { 0x03, 0x00, "VGA compatible controller" },
    { 0x03, 0xff, "Display controller" },
    { 0x04, 0xff, "Multimedia controller" },
    { 0x05, 0xff, "Memory controller" },
    { 0x06, 0x00, "Host bridge" },
    { 0x06, 0x01, "ISA bridge" },
    { 0x06, 0x04, "PCI bridge" },
    { 0x06, 0xff, "Bridge" },
    { 0x07, 0xff, "Communication controller" },
    { 0x08, 0xff, "System peripheral" },
    { 0x09, 0xff, "Input device controller" },
    { 0x0c, 0x03, "USB controller" },
    { 0x0c, 0x05, "SMBus" },
    { 0x0c, 0xff, "Serial bus controller" },
    { 0x0d, 0xff, "Wireless controller" },
    { 0x10, 0xff, "Encryption controller" },
};

static const char *class_name(uint32_t code)
{
    uint8_t base = (uint8_t)(code >> 16), sub = (uint8_t)(code >> 8);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (classes[i].base == base && (classes[i].sub == sub || classes[i].sub == 0xff))
            return classes[i].name;
    return "Unclassified device";
}

/* What topod says of it as of a device for drivers: "" if it is none. */
static const char *driver_of(struct vx_client *c, uint32_t address)
{
    uint32_t transport, kind, at, badge, generation, state, irq, irqs;
    for (uint32_t i = 0; vx_topo_device(c, i, &transport, &kind, &at, &badge, &generation, &state, &irq, &irqs) == OK;
         i++)
        if (transport == VX_TOPO_TRANSPORT_PCI && at == address)
            return badge == VX_TOPO_ANY_BADGE ? ", for no service" : state != 0 ? ", driven" : ", not driven";
    return "";
}

int main(int argc, char **argv)
{
    struct vx_client c = {};
    bool numbers = argc == 2 && strcmp(argv[1], "-n") == 0;
    uint32_t segment, address, vendor, device, class_code, header, pin;
    if (argc != (numbers ? 2 : 1)) {
        (void)fputs("usage: lspci [-n]\n", stderr);
        return 2;
    }
    status_t st = vx_connect("topo", &c);
    for (uint32_t i = 0; st == OK; i++) {
        st = vx_topo_function(&c, i, &segment, &address, &vendor, &device, &class_code, &header, &pin);
        if (st != OK)
            break;
        if (segment != 0)
            (void)printf("%04x:", segment);
        (void)printf("%02x:%02x.%u ", address >> 8, address >> 3 & 31, address & 7);
        if (numbers)
            (void)printf("%04x: %04x:%04x\n", class_code >> 8, vendor, device);
        else
            (void)printf("%s: %04x:%04x%s\n", class_name(class_code), vendor, device, driver_of(&c, address));
    }
    vx_client_close(&c);
    if (st == ERR_NOT_FOUND)
        return 0;
    (void)fprintf(stderr, "lspci: topod: %s\n", vx_status_text(st));
    return 1;
}
