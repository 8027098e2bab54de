using NullTextResearch.Diffusion;
using NullTextResearch.Text;
using NullTextResearch.UNet;
using NullTextResearch.Vae;

namespace NullTextResearch.Loading;

/// <summary>A published model that this library runs.</summary>
/// <param name="Name">Its common name.</param>
/// <param name="UNet">Its U-Net.</param>
/// <param name="Vae">Its autoencoder.</param>
/// <param name="Text">Its text encoder.</param>
/// <param name="Schedule">Its noise schedule.</param>
public sealed record KnownModel(string Name, UNetConfig UNet, VaeConfig Vae, ClipTextConfig Text, ScheduleConfig Schedule);
