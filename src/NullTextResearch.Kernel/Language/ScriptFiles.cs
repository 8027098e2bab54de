using System.Text;
using Microsoft.CodeAnalysis;

namespace NullTextResearch.Kernel.Language;

/// <summary>Files that a cell includes with #load; the limits for cells apply to them too.</summary>
internal sealed class ScriptFiles(string folder) : SourceFileResolver([], folder)
{
    /// <inheritdoc/>
    /// <exception cref="IOException">The file cannot be read or is nested too deeply. The compiler reports either as an error of the cell.</exception>
    public override Stream OpenRead(string resolvedPath)
    {
        byte[] bytes = File.ReadAllBytes(resolvedPath);
        using StreamReader text = new(new MemoryStream(bytes), Encoding.UTF8);
        if (CodeNesting.CompilerFault(text.ReadToEnd()) is { } fault)
            throw new IOException(fault);
        return new MemoryStream(bytes);
    }
}
