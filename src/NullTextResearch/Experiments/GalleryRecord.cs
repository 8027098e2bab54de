namespace NullTextResearch.Experiments;

/// <summary>All edits of one image, made from one inversion.</summary>
/// <param name="ReconstructionPng">What the inversion gives without an edit, as PNG.</param>
/// <param name="Psnr">Its PSNR against the input, dB.</param>
/// <param name="DdimPng">What DDIM inversion without null texts gives at the same guidance, as PNG.</param>
/// <param name="Edits">The edits.</param>
public sealed record GalleryRecord(byte[] ReconstructionPng, double Psnr, byte[] DdimPng, IReadOnlyList<EditRecord> Edits);
