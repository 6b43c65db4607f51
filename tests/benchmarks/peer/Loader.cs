using System.Buffers.Binary;
using System.Text;

namespace LutNative.Peer;

/// <summary>
/// Makes TorchSharp load on Debian 12: its native library demands version GLIBCXX_3.4.32, one newer than Debian's. In
/// the copy of the build's output that version's entry in .gnu.version_r is marked weak (VER_FLG_WEAK), so the loader
/// goes on without it; preload.c has the one function behind it.
/// </summary>
internal static class Loader
{
    internal static void Weaken(string path)
    {
        byte[] elf = File.ReadAllBytes(path);
        long sections = BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(40));
        int size = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(58));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(60));
        ReadOnlySpan<byte> Section(int i) => elf.AsSpan((int)sections + i * size, size);
        bool changed = false;
        for (int i = 0; i < count; i++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(Section(i)[4..]) != 0x6ffffffe)
                continue; // SHT_GNU_verneed
            int at = (int)BinaryPrimitives.ReadInt64LittleEndian(Section(i)[24..]);
            int link = (int)BinaryPrimitives.ReadUInt32LittleEndian(Section(i)[40..]);
            int strings = (int)BinaryPrimitives.ReadInt64LittleEndian(Section(link)[24..]);
            for (int need = at, more = 1; more != 0; need += more)
            {
                int aux = need + BinaryPrimitives.ReadInt32LittleEndian(elf.AsSpan(need + 8));
                for (int next = 1; next != 0; aux += next)
                {
                    int name = strings + BinaryPrimitives.ReadInt32LittleEndian(elf.AsSpan(aux + 8));
                    if (elf.AsSpan(name).StartsWith(Encoding.ASCII.GetBytes("GLIBCXX_3.4.32\0")))
                    {
                        BinaryPrimitives.WriteUInt16LittleEndian(elf.AsSpan(aux + 4), 2);
                        changed = true;
                    }
                    next = BinaryPrimitives.ReadInt32LittleEndian(elf.AsSpan(aux + 12));
                }
                more = BinaryPrimitives.ReadInt32LittleEndian(elf.AsSpan(need + 12));
            }
        }
        if (!changed)
            return;
        File.Delete(path); // the file may be a hard link into the package cache
        File.WriteAllBytes(path, elf);
    }
}
