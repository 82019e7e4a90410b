//! temp
use audiolm_codec::*; use burn::prelude::*; use audiolm_audio::Clip; use burn::module::Module;
fn main(){
 let a:Vec<String>=std::env::args().collect(); let device=Device::default();
 let codec=Plan(&device).try_load_file(&a[1]).unwrap();
 for n in [0usize,1,3,8] { let mut s=0.0; let mut m=0.0; let mut k=0;
  for f in &a[2..] { let c=Clip::read_at(f,16000).unwrap(); let g=c.reference_gain(); let len=c.samples.len()/320*320; let x:Vec<f32>=c.samples[..len].iter().map(|v|v*g).collect();
   let w=Tensor::<3>::from_data(TensorData::new(x.clone(),[1,1,len]),&device);
   let y= if n==0 {codec.autoencode(w)} else {let q=codec.encode(w); codec.decode(q.slice_dim(1,..n))}; let y=y.into_data().try_to_vec::<f32>().unwrap();
   s+=audiolm_eval::stoi(&x,&y,16000).unwrap(); m+=audiolm_eval::log_mel_distance(&x,&y,16000).unwrap(); k+=1;
   if n==8||n==0 { Clip{samples:y,sample_rate_hz:16000}.write_wav(format!("/tmp/rec-{n}-{k}.wav")).unwrap(); } }
  println!("n {n} stoi {:.3} logmel {:.3}",s/k as f64,m/k as f64); }
}
#[allow(non_snake_case)] fn Plan(d:&Device)->SoundStream { SoundStreamConfig::tiny_16khz().init(d).unwrap() }
