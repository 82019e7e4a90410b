//! temp
use audiolm_train::*;
struct P(std::time::Instant,u64);
impl Observer for P { fn begin(&mut self,w:&str,d:u64,t:u64){println!("{w} {d}/{t}"); self.0=std::time::Instant::now(); self.1=d;}
 fn advance(&mut self,d:u64,m:&Measures){ if m.get("loss").is_some() && d%10==0 {println!("{d} {:.2}s/step {}",self.0.elapsed().as_secs_f64()/(d-self.1).max(1) as f64, serde_json::to_string(m).unwrap());}}
 fn validated(&mut self,d:u64,m:&Measures){println!("VALID {d} {}",serde_json::to_string(m).unwrap());} fn end(&mut self){} }
fn main(){
 let a:Vec<String>=std::env::args().collect();
 let mut plan=Plan::preset(Preset::Tiny);
 plan.data=DataSettings{folder:"/work/shared/data".into(),sets:["speech/en","speech/en-extra","speech/fr","speech/fr-extra"].map(String::from).to_vec(),..Default::default()};
 if let Some(f)=a.get(3){ plan=plan.with_overrides(&std::fs::read_to_string(f).unwrap(),f.as_ref()).unwrap(); }
 let r=train(Stage::from_name(&a[1]).unwrap(),Run{folder:a[2].as_ref(),plan:&plan,device:&burn::prelude::Device::default(),observer:&mut P(std::time::Instant::now(),0),stop:&StopSignal::default()});
 println!("{r:?}");
}
