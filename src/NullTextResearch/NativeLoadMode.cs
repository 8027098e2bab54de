namespace NullTextResearch;

/// <summary>How libtorch was loaded into this process.</summary>
public enum NativeLoadMode
{
    /// <summary>Not loaded by this class: the operating system needs no help, or loading is left to TorchSharp.</summary>
    LeftToTorchSharp,

    /// <summary>The shipped libraries load as they are.</summary>
    AsShipped,

    /// <summary>One version requirement of libLibTorchSharp.so was made optional in a private copy (see <see cref="Native"/>).</summary>
    RelaxedCopy,

    /// <summary>The libraries were found but could not be loaded.</summary>
    Failed,
}
