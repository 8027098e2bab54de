using System.Security.Cryptography;
using System.Text;

namespace NullTextResearch.Hub;

/// <summary>A file of a model, as listed in the hub's index.</summary>
/// <param name="Path">Path within the model, separated by '/'.</param>
/// <param name="Size">In bytes.</param>
/// <param name="Hash">SHA-256 of the content (64 hexadecimal digits) for large files; git's blob SHA-1 (40) for the others.</param>
public sealed record HubFile(string Path, long Size, string Hash)
{
    /// <summary>Whether <see cref="Hash"/> is the SHA-256 of the content.</summary>
    public bool IsLarge => Hash.Length == 64;

    /// <summary>An empty digest of the right kind for content of this size.</summary>
    internal IncrementalHash NewDigest()
    {
        if (IsLarge)
            return IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        // Git hashes a header before the content.
        IncrementalHash digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA1);
        digest.AppendData(Encoding.ASCII.GetBytes($"blob {Size}\0"));
        return digest;
    }
}

/// <summary>One revision of a model on the hub.</summary>
/// <param name="Commit">40 hexadecimal digits.</param>
/// <param name="Licence">Licence as named in the model card, or null.</param>
/// <param name="Files">All files.</param>
internal sealed record HubRevision(string Commit, string? Licence, IReadOnlyList<HubFile> Files);
